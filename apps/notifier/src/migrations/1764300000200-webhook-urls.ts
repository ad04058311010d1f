import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stores URLs in the form in which they are requested; before, they were stored as they were typed. */
export class WebhookUrls1764300000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const rows = (await runner.query(
      `SELECT org_id, channel_id, settings ->> 'url' AS url FROM channel WHERE type = 'webhook' AND settings ? 'url'`,
    )) as { org_id: string; channel_id: string; url: string }[];
    for (const { org_id, channel_id, url } of rows.filter((row) => URL.canParse(row.url)))
      await runner.query(
        `UPDATE channel SET settings = jsonb_set(settings, '{url}', to_jsonb($3::text))
          WHERE org_id = $1 AND channel_id = $2`,
        [org_id, channel_id, new URL(url).href],
      );
  }

  /** Nothing to undo: both forms mean the same. */
  async down(): Promise<void> {}
}
