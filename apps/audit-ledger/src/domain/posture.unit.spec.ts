import { postureOf, type PostureFacts } from './posture.js';

const nothing: PostureFacts = {
  integrity: null,
  governed: { some: 0, all: 0 },
  decided: { some: 0, all: 0 },
  reported: { some: 0, all: 0 },
};

it('is full where there is nothing to judge, and its detail says so', () => {
  const { score, components } = postureOf(nothing);
  expect(score).toBe(100);
  for (const { score, max, detail } of Object.values(components)) {
    expect(score).toBe(max);
    expect(detail).toMatch(/^Nothing to judge/);
  }
});

it('gives each component its share', () => {
  expect(
    postureOf({
      integrity: { valid: true, complete: true, checked: 12, size: 12, at: '2026-11-25T10:00:00.000Z' },
      governed: { some: 2, all: 3 },
      decided: { some: 1, all: 4 },
      reported: { some: 0, all: 7 },
    }),
  ).toMatchObject({
    score: 55,
    components: {
      audit_integrity: { score: 30, max: 30 },
      policy_coverage: {
        score: 20,
        max: 30,
        detail: '2 of 3 submissions were governed by a policy in the last 30 days.',
      },
      human_oversight: { score: 5, max: 20 },
      outcome_reporting: { score: 0, max: 20 },
    },
  });
});

it('a broken log costs all of its component', () => {
  const integrity = { valid: false, complete: true, checked: 7, size: 7, at: '2026-11-25T10:00:00.000Z' };
  expect(postureOf({ ...nothing, integrity }).components.audit_integrity.score).toBe(0);
});

it('a log that is not checked yet counts as far as it was looked at', () => {
  const integrity = { valid: true, complete: false, checked: 5, size: 10, at: '2026-11-25T10:00:00.000Z' };
  expect(postureOf({ ...nothing, integrity }).components.audit_integrity).toEqual({
    score: 15,
    max: 30,
    detail: 'The first check is under way: 5 of 10 entries were looked at.',
  });
  const unseen = { ...integrity, checked: 0 };
  expect(postureOf({ ...nothing, integrity: unseen }).components.audit_integrity.score).toBe(0);
});
