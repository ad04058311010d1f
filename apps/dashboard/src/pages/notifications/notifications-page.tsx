import { useSearch } from '@tanstack/react-router';
import { PageHead, AdminsChange } from '../../components/page-head.js';
import { Channels } from './channels.js';
import { Deliveries } from './deliveries.js';

export function NotificationsPage() {
  const search = useSearch({ from: '/shell/notifications' });
  return (
    <>
      <PageHead title="Notifications" lead="Where people and programs are told, and whether it arrived." />
      <AdminsChange what="channels" />
      <Channels />
      <Deliveries search={search} />
    </>
  );
}
