import pg from 'pg';

/**
 * A pool for a test's own statements. The server of a test is stopped while the pool's last connections are
 * still closing; node-postgres reports such an end as an `error` event, which without a listener ends the run.
 */
export function testPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', () => undefined);
  return pool;
}
