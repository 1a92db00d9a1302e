import type { ImageInspectInfo } from 'dockerode';
import type { Engine } from '../engine/engine.ts';
import { statusOf } from '../engine/errors.ts';

type WithSignal = (options: { abortSignal: AbortSignal }) => Promise<ImageInspectInfo>;

/** The image as the engine has it, by name or id; undefined when it is absent. */
export async function findImage(engine: Engine, name: string): Promise<ImageInspectInfo | undefined> {
  const image = engine.docker.getImage(name);
  const inspect = image.inspect.bind(image) as WithSignal;
  try {
    return await engine.call((abortSignal) => inspect({ abortSignal }));
  } catch (error) {
    // 400: a name that can be no image's.
    if (statusOf(error) === 404 || statusOf(error) === 400) return undefined;
    throw error;
  }
}
