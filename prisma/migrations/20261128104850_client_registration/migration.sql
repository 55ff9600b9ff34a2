-- AlterTable
ALTER TABLE "oauth2_clients" ADD COLUMN     "registration_token_hash" BYTEA;
