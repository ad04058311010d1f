import type { ApprovalView } from '@agentlattice/contracts';

export type Matchable = Pick<ApprovalView, 'id' | 'agent' | 'action_type' | 'policy_name' | 'metadata'>;

export interface Match<R> {
  readonly request: R;
  /** Words of the description that nothing of the request contains. */
  readonly missing: readonly string[];
  /** Words that only the agent's own metadata contains: an agent can write anything there. */
  readonly onlyInMetadata: readonly string[];
}

/** Words that say nothing about which request is meant. */
const fillers: ReadonlySet<string> = new Set(
  'a an the of for to by from in on at and or with that this one it its my our please approve approved approval approvals deny denied reject request requests requested pending waiting action actions agent want wants decision decide let go ahead'.split(
    ' ',
  ),
);
const mostMetadataTexts = 200;
/** A shorter beginning of a word says too little: `prod` is `production`, `pr` may be many words. */
const shortestBeginning = 4;

/** `deployBot-2` → deploy, bot, 2. */
export const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKC')
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== '');

/**
 * The requests that a person may mean by a description such as “the deploy-bot production deploy”: those for which most of its
 * words stand in the agent's name, the action type or the policy's name. What the agent wrote into metadata counts only among
 * requests that are equal by that, so that no agent draws a decision to itself by the words it writes there.
 * @returns the best ones, in the given order; none where no word is found
 */
export function matchRequests<R extends Matchable>(description: string, requests: readonly R[]): Match<R>[] {
  const wanted = [...new Set(wordsOf(description))].filter((word) => !fillers.has(word));
  if (wanted.length === 0) return [];
  const judged = requests.map((request) => {
    const known = new Set(
      [request.id, request.agent.name, request.action_type, request.policy_name].flatMap(wordsOf),
    );
    const said = new Set(textsIn(request.metadata).flatMap(wordsOf));
    const notKnown = wanted.filter((word) => !contains(known, word));
    const onlyInMetadata = notKnown.filter((word) => contains(said, word));
    const missing = notKnown.filter((word) => !onlyInMetadata.includes(word));
    return { request, missing, onlyInMetadata, inKnown: wanted.length - notKnown.length };
  });
  const best = Math.max(0, ...judged.map(({ inKnown }) => inKnown));
  const found = judged.filter(({ inKnown, onlyInMetadata }) =>
    best === 0 ? onlyInMetadata.length > 0 : inKnown === best,
  );
  const fewest = Math.min(...found.map(({ missing }) => missing.length));
  return found
    .filter(({ missing }) => missing.length === fewest)
    .map(({ request, missing, onlyInMetadata }) => ({ request, missing, onlyInMetadata }));
}

const contains = (words: ReadonlySet<string>, word: string): boolean =>
  words.has(word) ||
  [...words].some(
    (other) =>
      (word.length >= shortestBeginning && other.startsWith(word)) ||
      (other.length >= shortestBeginning && word.startsWith(other)),
  );

function textsIn(value: unknown, found: string[] = []): string[] {
  if (found.length >= mostMetadataTexts) return found;
  if (typeof value === 'string' || typeof value === 'number') found.push(String(value).slice(0, 500));
  else if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) textsIn(member, found);
  return found;
}
