import { Select } from './form.js';

/** How long the old secret works beside the new one. */
export const OverlapSelect = ({
  what,
  fault,
}: {
  readonly what: string;
  readonly fault: string | undefined;
}) => (
  <Select label={`The old ${what} works for`} name="overlap" defaultValue="24h" data-autofocus fault={fault}>
    <option value="0s">no time: it ends at once</option>
    <option value="1h">1 hour</option>
    <option value="24h">24 hours</option>
    <option value="7d">7 days</option>
  </Select>
);
