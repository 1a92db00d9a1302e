import { RuntimeError, type FailureCode } from '../../../fleet/errors.ts';
import { wordsOf } from '../engine/errors.ts';
import { DOCKER_HUB, parseImageReference } from './image-reference.ts';

interface Verdict {
  readonly code: FailureCode;
  readonly remedy: string;
}

/** `docker login` takes no name for Docker Hub. */
function loginTo(image: string): string {
  const { registry } = parseImageReference(image);
  return registry === DOCKER_HUB ? `'docker login'` : `'docker login ${registry}'`;
}

function judge(image: string, words: string): Verdict {
  if (/no space left on device/i.test(words))
    return { code: 'disk_full', remedy: `free space where Docker keeps its data ('docker system df')` };
  // Docker Hub says the same of an image that is absent and of one that is not for everybody.
  if (/not found|manifest unknown|name unknown|does not exist|access denied/i.test(words))
    return { code: 'image_missing', remedy: `correct its name, log in with ${loginTo(image)}, or build it` };
  if (/no basic auth credentials|unauthorized|authentication required|denied|\b40[13]\b/i.test(words))
    return { code: 'pull_failed', remedy: `log in with ${loginTo(image)} as the user that runs the daemon` };
  return { code: 'pull_failed', remedy: `check the network and the registry, or load the image with 'docker load'` };
}

/** A pull that failed, as the fleet knows it: the image, the service, the words of the registry, what to do. */
export function pullError(service: string, image: string, error: unknown): RuntimeError {
  const words = wordsOf(error);
  const { code, remedy } = judge(image, words);
  const message = `image ${image} of service ${service} cannot be pulled: ${words}; ${remedy}`;
  return new RuntimeError(code, message, { cause: error });
}

/** A pull that its caller does not want any more. */
export function pullCancelled(service: string, image: string, cause: unknown): RuntimeError {
  const message = `the pull of image ${image} for service ${service} was called off; it begins anew at the next wake`;
  return new RuntimeError('start_cancelled', message, { cause });
}
