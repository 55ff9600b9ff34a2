-- CreateTable
CREATE TABLE "oauth2_forced_subjects" (
    "client_row_id" UUID NOT NULL,
    "account_id" TEXT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "identifier" TEXT NOT NULL,
    "user_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "oauth2_forced_subjects_pkey" PRIMARY KEY ("client_row_id","account_id")
);

-- CreateTable
CREATE TABLE "oauth2_pairwise_salts" (
    "tenant_id" UUID NOT NULL,
    "salt_sealed" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "oauth2_pairwise_salts_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateIndex
CREATE INDEX "oauth2_forced_subjects_user_id_idx" ON "oauth2_forced_subjects"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "oauth2_forced_subjects_client_row_id_identifier_key" ON "oauth2_forced_subjects"("client_row_id", "identifier");

-- AddForeignKey
ALTER TABLE "oauth2_forced_subjects" ADD CONSTRAINT "oauth2_forced_subjects_client_row_id_fkey" FOREIGN KEY ("client_row_id") REFERENCES "oauth2_clients"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What somebody is called goes with the user.
ALTER TABLE "oauth2_forced_subjects" ADD CONSTRAINT "oauth2_forced_subjects_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE;
