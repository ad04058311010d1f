import { type ClockSample, offsetOf, withSample } from './clock-offset.js';

it('takes the sample with the shortest round trip', () => {
  const samples: ClockSample[] = [
    { serverTime: 10_000, sentAt: 1_000, cameAt: 3_000 },
    { serverTime: 10_400, sentAt: 2_000, cameAt: 2_100 },
    { serverTime: 20_000, sentAt: 3_000, cameAt: 9_000 },
  ];
  expect(offsetOf(samples)).toBe(10_400 - 2_050);
});

it('is none without a sample, and forgets all but the last eight', () => {
  expect(offsetOf([])).toBe(0);
  const best = { serverTime: 1, sentAt: 0, cameAt: 0 };
  const worse = { serverTime: 50, sentAt: 0, cameAt: 10 };
  const samples = Array.from({ length: 8 }, () => worse).reduce(withSample, withSample([], best));
  expect(samples).toHaveLength(8);
  expect(offsetOf(samples)).toBe(45);
});
