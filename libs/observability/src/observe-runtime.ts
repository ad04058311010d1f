import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { observe } from './metrics.js';

/** Each tick wakes the process up. */
const resolutionMs = 100;

/** Event loop and memory of this process. Returns a function that ends it. */
export function observeRuntime(): () => void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  const ends = [
    observe('nodejs.eventloop.delay.p99', () => {
      // The timer's own period is part of what it measures.
      const seconds = Math.max(0, delay.percentile(99) / 1e9 - resolutionMs / 1_000);
      delay.reset();
      return [{ value: seconds, labels: {} }];
    }),
    observe('nodejs.eventloop.utilization', () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return [{ value: utilization, labels: {} }];
    }),
    observe('v8js.memory.heap.used', () =>
      getHeapSpaceStatistics().map(({ space_name, space_used_size }) => ({
        value: space_used_size,
        labels: { 'v8js.heap.space.name': space_name },
      })),
    ),
    observe('agentlattice.heap.limit', () => [{ value: getHeapStatistics().heap_size_limit, labels: {} }]),
    observe('process.memory.usage', () => [{ value: process.memoryUsage.rss(), labels: {} }]),
  ];
  return () => {
    for (const end of ends) end();
    delay.disable();
  };
}
