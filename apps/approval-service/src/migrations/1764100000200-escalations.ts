import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When each request escalates next; the plan itself is in its events. */
export class Escalations1764100000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE approval ADD next_escalation_at timestamptz(3)');
    // Requests that are already open are due at once: the sweep reads their plans and stores the right time.
    await runner.query(
      `UPDATE approval SET next_escalation_at = created_at
        WHERE status IN ('pending', 'escalated') AND jsonb_array_length(terms -> 'escalation') > 0`,
    );
    await runner.query(
      `CREATE INDEX approval_escalation_due ON approval (next_escalation_at)
        WHERE status IN ('pending', 'escalated') AND next_escalation_at IS NOT NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE approval DROP next_escalation_at');
  }
}
