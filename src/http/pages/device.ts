import { formToken } from '../../oauth/built-in-app.ts';
import { acceptDeviceRequest } from '../../oauth/commands/accept-device-request.ts';
import { callerForUserCode, getDeviceRequest } from '../../oauth/device-request.ts';
import { renderDevicePage } from '../../oauth/pages/device-page.ts';
import { InvalidArgumentError, NotFoundError } from '../../platform/errors.ts';
import type { Exchange } from '../exchange.ts';
import { answerPage, answerStale, leadOn, page, textsOf } from './answer-page.ts';
import { readOurForm } from './form.ts';

/** The built-in page where people enter the code that a device shows. */
export const DEVICE_PATH = '/oauth2/device';

export const answerDevicePage = page(async (exchange) => {
  const { searchParams } = exchange.url;
  const challenge = searchParams.get('device_challenge') ?? '';
  const userCode = (searchParams.get('user_code') ?? '').slice(0, 64);
  if (!(await isWaiting(exchange, challenge))) return answerStale(exchange);
  show(exchange, { challenge, userCode, isWrong: searchParams.has('error') });
});

export const answerDeviceForm = page(async (exchange) => {
  const form = await readOurForm(exchange, 'device');
  const challenge = form.get('challenge') ?? '';
  const userCode = (form.get('user_code') ?? '').trim();
  const caller = await callerForUserCode(userCode);
  const { publicUrl } = exchange.signIn;
  try {
    const redirectTo = await acceptDeviceRequest(caller, publicUrl, { challenge, userCode });
    leadOn(exchange, textsOf(exchange), redirectTo);
  } catch (error) {
    if (error instanceof NotFoundError) return answerStale(exchange);
    if (!(error instanceof InvalidArgumentError)) throw error;
    show(exchange, { challenge, userCode: userCode.slice(0, 64), isWrong: true });
  }
});

/** @throws ChallengeUsedError */
async function isWaiting({ signIn: { publicUrl } }: Exchange, challenge: string): Promise<boolean> {
  try {
    const caller = await callerForUserCode('');
    return (await getDeviceRequest(caller, publicUrl, { challenge, userCode: null })) !== null;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

function show(
  exchange: Exchange,
  { challenge, userCode, isWrong }: { challenge: string; userCode: string; isWrong: boolean },
): void {
  const texts = textsOf(exchange);
  const text = renderDevicePage(texts, {
    action: DEVICE_PATH,
    proof: { challenge, token: formToken('device', challenge) },
    userCode,
    problem: isWrong ? texts.device.wrong : null,
  });
  answerPage(exchange.response, isWrong ? 400 : 200, text);
}
