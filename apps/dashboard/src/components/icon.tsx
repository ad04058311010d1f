export type IconName =
  | 'check' | 'x' | 'clock' | 'alarm' | 'up' | 'people' | 'warn' | 'new' | 'grow' | 'eye' | 'unlock' | 'inbox' | 'chart'
  | 'rule' | 'bot' | 'log' | 'bell' | 'key' | 'more' | 'search' | 'quote' | 'shield' | 'back' | 'down' | 'off' | 'users1'
  | 'copy'; // prettier-ignore

/** A sign beside a word; it never stands alone, so it is hidden from assistive technology. */
export const Icon = ({ name, tone }: { readonly name: IconName; readonly tone?: 'g' | 'r' }) => (
  <span className={`i i-${name}${tone === undefined ? '' : ` ${tone}`}`} aria-hidden="true" />
);
