/** A format that a model can be written in. */
export type Format = 'onnx' | 'npz' | 'safetensors-f32' | 'safetensors-f16' | 'safetensors-bf16' | 'safetensors-i8';

/** An input or output of a model; a side that the file leaves open, such as the batch, is null. */
export type Port = { name: string; number: 'real' | 'whole' | null; shape: (number | null)[] | null };

/** What a file says of its model. */
export type About = {
  name: string;
  format: 'onnx' | 'safetensors' | 'npz' | 'pickle';
  metadata: [key: string, value: string][];
  inputs: Port[];
  outputs: Port[];
};

/** An input, or one step behind it: an ONNX operator, or a layer of this engine. */
export type Row = {
  name: string;
  kind: string;
  /** The positions of the rows that it reads. */
  inputs: number[];
  /** Sides of what it makes of one image: channels, height, width; or one number. */
  shape: number[];
  parameters: number;
  multiplyAdds: number;
};

/** Numbers of any rank, in C order. */
export type Tensor = { name: string; shape: number[]; values: Float32Array };
