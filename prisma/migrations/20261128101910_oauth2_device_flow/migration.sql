-- AlterEnum
ALTER TYPE "oauth2_record_kind" ADD VALUE 'DeviceCode';
ALTER TYPE "oauth2_record_kind" ADD VALUE 'DeviceRequest';
