import { mixesScripts, skeletonOf } from './look-alikes.js';

it.each([
  ['paypal.com', 'p\u0430ypal.com'],
  ['checkout', 'check\u200bout'],
  ['bill', 'b1lI'],
  ['modern', 'modem'],
  ['\u0440\u0430\u0443', 'pay'],
  ['caf\u00e9', 'cafe\u0301'],
  ['ABC', '\uff21\uff22\uff23'],
])('%s looks like %s', (a, b) => {
  expect(a).not.toBe(b);
  expect(skeletonOf(a)).toBe(skeletonOf(b));
});

it.each([
  ['2.0.9', '2.1.9'],
  ['orders', 'orders2'],
  ['eu-west', 'us-west'],
])('%s does not look like %s', (a, b) => expect(skeletonOf(a)).not.toBe(skeletonOf(b)));

it('a word of two scripts that share shapes is found; a text in two languages is not', () => {
  expect(mixesScripts('p\u0430ypal')).toBe(true);
  expect(mixesScripts('deploy \u0434\u043b\u044f \u041c\u043e\u0441\u043a\u0432\u044b')).toBe(false);
  expect(mixesScripts('\u6771\u4eacTower')).toBe(false);
  expect(mixesScripts('r\u00e9sum\u00e9 2')).toBe(false);
});
