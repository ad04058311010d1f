import { PageHead } from '../../components/page-head.js';

export const OverviewPage = () => <PageHead title="Overview" />;
