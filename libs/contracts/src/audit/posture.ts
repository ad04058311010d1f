import { z } from 'zod';

export const postureComponents = [
  'audit_integrity',
  'policy_coverage',
  'human_oversight',
  'outcome_reporting',
] as const;
export type PostureComponentName = (typeof postureComponents)[number];

const component = z
  .object({
    score: z.number().min(0),
    max: z.number().positive(),
    detail: z.string().meta({ description: 'The reason for the score, in a sentence' }),
  })
  .meta({ id: 'PostureComponent' });
export type PostureComponent = z.infer<typeof component>;

/** How well agents are governed, from the log of the last 30 days. A component without data has the full score. */
export const posture = z
  .object({
    score: z.number().min(0).max(100).meta({ description: 'Sum of the components' }),
    components: z.object(
      Object.fromEntries(postureComponents.map((name) => [name, component])) as Record<
        PostureComponentName,
        typeof component
      >,
    ),
  })
  .meta({ id: 'Posture' });
export type Posture = z.infer<typeof posture>;
