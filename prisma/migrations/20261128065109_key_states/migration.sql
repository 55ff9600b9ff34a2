-- CreateEnum
CREATE TYPE "json_web_key_state" AS ENUM ('NEXT', 'CURRENT', 'RETIRED');

-- AlterTable
ALTER TABLE "json_web_keys" ADD COLUMN     "activated_at" TIMESTAMPTZ(3),
ADD COLUMN     "retired_at" TIMESTAMPTZ(3),
ADD COLUMN     "state" "json_web_key_state" NOT NULL DEFAULT 'CURRENT';

-- Until now, the newest key of a set has signed.
UPDATE json_web_keys SET state = 'RETIRED', retired_at = now()
 WHERE id NOT IN (
   SELECT DISTINCT ON (set_id, alg, use) id FROM json_web_keys
    ORDER BY set_id, alg, use, private_jwk_sealed IS NULL, created_at DESC, id DESC
 );
UPDATE json_web_keys SET activated_at = created_at WHERE state = 'CURRENT';

-- One key of each use and algorithm signs.
CREATE UNIQUE INDEX "json_web_keys_current" ON "json_web_keys"("set_id", "use", "alg") WHERE state = 'CURRENT';
