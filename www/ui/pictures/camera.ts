// The camera: asked for when a person presses its button, and let go as soon as they leave.

import { m } from '../../texts/shell';

const REASONS: Record<string, () => string> = {
  NotAllowedError: () => m.camera_denied(),
  NotFoundError: () => m.camera_none(),
  OverconstrainedError: () => m.camera_none(),
  NotReadableError: () => m.camera_busy(),
};

/** Asks for the camera's pictures, without sound. Rejects with a sentence for the person. */
export async function openCamera(facing: 'user' | 'environment' = 'environment'): Promise<MediaStream> {
  // Left out on origins that are not secure.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices?.getUserMedia) throw new Error(m.camera_insecure());
  try {
    return await devices.getUserMedia({ audio: false, video: { facingMode: facing, width: { ideal: 640 }, height: { ideal: 480 } } });
  } catch (error) {
    const { name, message } = error as Error;
    throw new Error(REASONS[name]?.() ?? m.camera_failed({ reason: message }));
  }
}

/** Lets the camera go: its light goes out. */
export function closeCamera(stream: MediaStream | undefined): void {
  stream?.getTracks().forEach((track) => track.stop());
}
