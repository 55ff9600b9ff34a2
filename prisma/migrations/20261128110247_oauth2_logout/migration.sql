-- AlterEnum
ALTER TYPE "oauth2_record_kind" ADD VALUE 'LogoutRequest';
