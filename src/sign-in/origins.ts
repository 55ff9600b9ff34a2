import { serverConfig } from '../platform/config/server.ts';

/** Whether pages of this origin are our own or listed in CORS_ORIGINS. */
export function isAllowedOrigin(origin: string, publicUrl: string): boolean {
  return serverConfig.corsOrigins.includes(origin) || origin === new URL(publicUrl).origin;
}
