import { PageHead } from '../../components/page-head.js';

export const NotificationsPage = () => <PageHead title="Notifications" />;
