import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, textOf, yamlOf } from './sources.js';

interface Job {
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly { readonly uses?: string; readonly with?: Readonly<Record<string, unknown>> }[];
}
const folder = '.github/workflows';
const workflows = readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);

/** Those of GitHub itself, which also runs the workflow, go by their tags. */
const isOurHosts = (action: string) => action.startsWith('actions/');

describe.each(workflows)('%s', (path) => {
  const { permissions, jobs } = yamlOf(path) as { permissions: unknown; jobs: Record<string, Job> };

  it('names actions of others by commit, with the version beside it', () => {
    for (const [, action = '', version = ''] of textOf(path).matchAll(/uses: (\S+)(.*)/g))
      if (!isOurHosts(action)) {
        expect(action).toMatch(/@[0-9a-f]{40}$/);
        expect(version).toMatch(/^ # v?\d+\.\d+\.\d+$/);
      }
  });

  it('may read only, unless a job says otherwise, leaves no token behind, and ends', () => {
    expect(permissions).toEqual({ contents: 'read' });
    for (const job of Object.values(jobs)) {
      expect(job['timeout-minutes']).toBeLessThanOrEqual(60);
      for (const step of job.steps.filter(({ uses = '' }) => uses.startsWith('actions/checkout@')))
        expect(step.with).toMatchObject({ 'persist-credentials': false });
    }
  });
});
