import type { PolicyContent } from '@agentlattice/contracts';

export interface MemberChange {
  readonly member: string;
  readonly was: readonly string[];
  readonly now: readonly string[];
}

/** The members that differ, each as the lines that left and the lines that came. */
export function policyChanges(
  was: Readonly<Partial<PolicyContent>>,
  now: Readonly<Partial<PolicyContent>>,
): readonly MemberChange[] {
  const members = [...new Set([...Object.keys(was), ...Object.keys(now)])] as (keyof PolicyContent)[];
  return members.flatMap((member) => {
    const [before, after] = [linesOf(was[member]), linesOf(now[member])];
    if (before.join('\n') === after.join('\n')) return [];
    const common = new Set(before.filter((line) => after.includes(line)));
    return [
      {
        member,
        was: before.filter((line) => !common.has(line)),
        now: after.filter((line) => !common.has(line)),
      },
    ].map((change) =>
      // The same lines in another order.
      change.was.length + change.now.length === 0 ? { member, was: before, now: after } : change,
    );
  });
}

/** One line for each element of a list; one for everything else. */
function linesOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map((element) => JSON.stringify(element));
  return typeof value === 'string' ? value.split('\n') : [JSON.stringify(value)];
}
