// The camera: asked for when a person presses its button, and let go as soon as they leave.

const REASONS: Record<string, string> = {
  NotAllowedError: 'The camera was not allowed. Everything else works without it; to allow it after all, use the sign beside the page’s address.',
  NotFoundError: 'There is no camera here.',
  OverconstrainedError: 'There is no camera here.',
  NotReadableError: 'The camera is in use by another program.',
};

/** Asks for the camera's pictures, without sound. Rejects with a sentence for the person. */
export async function openCamera(facing: 'user' | 'environment' = 'environment'): Promise<MediaStream> {
  // Left out on origins that are not secure.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices?.getUserMedia) throw new Error('Browsers give pages the camera over https only.');
  try {
    return await devices.getUserMedia({ audio: false, video: { facingMode: facing, width: { ideal: 640 }, height: { ideal: 480 } } });
  } catch (error) {
    const { name, message } = error as Error;
    throw new Error(REASONS[name] ?? `The camera did not start: ${message}.`);
  }
}

/** Lets the camera go: its light goes out. */
export function closeCamera(stream: MediaStream | undefined): void {
  stream?.getTracks().forEach((track) => track.stop());
}
