import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/**
 * Who answers: every answer of a service names its instance, so that a caller sees how requests are spread.
 *
 * @typedef {object} Instance
 * @property {string} name      such as `backend-1`
 * @property {string} service   such as `backend`
 * @property {Date} startedAt
 */

/**
 * @param {NodeJS.ProcessEnv} env  REVEILLE_INSTANCE and REVEILLE_SERVICE come from the daemon; HOSTNAME is what a container has anyway
 * @param {string} service         what it is called where nobody says so
 * @returns {Instance}
 */
export function identifyInstance(env, service) {
  const named = env.REVEILLE_INSTANCE || env.HOSTNAME || hostname();
  return {
    name: headerSafe(named) || `${service}-${randomBytes(3).toString('hex')}`,
    service: env.REVEILLE_SERVICE || service,
    startedAt: new Date(),
  };
}

/**
 * The name travels in a response header, where only visible ASCII may stand.
 *
 * @param {string} text
 */
function headerSafe(text) {
  return text.replace(/[^\x21-\x7e]/g, '').slice(0, 128);
}
