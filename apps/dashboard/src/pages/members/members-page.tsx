import { PageHead } from '../../components/page-head.js';

export const MembersPage = () => <PageHead title="Members" />;
