/**
 * What a trained network is made of, whoever trained it and whoever exports it: layers in order, each with its weights.
 *
 * Images lie as ONNX wants them, [batch × channels × height × width]; a series of T samples is an image of height 1. A dense layer
 * reads its input flat, in that order.
 */
export type Activation = 'none' | 'tanh' | 'relu';

export interface Image {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface DenseLayer {
  readonly kind: 'dense';
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs × inputs], row-major. */
  readonly weights: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
  readonly activation: Activation;
}

/** Side lengths, steps and zero padding are [along the height, along the width]. */
interface Convolution {
  readonly input: Image;
  readonly output: Image;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** On either side. */
  readonly pad: readonly [number, number];
  /** [output channels] */
  readonly bias: Float32Array;
  readonly activation: Activation;
}

export interface ConvLayer extends Convolution {
  readonly kind: 'conv';
  /** [output channels × input channels × kernel] */
  readonly weights: Float32Array;
}

export interface ConvTransposeLayer extends Convolution {
  readonly kind: 'conv-transpose';
  /** [input channels × output channels × kernel] */
  readonly weights: Float32Array;
}

export type NetworkLayer = DenseLayer | ConvLayer | ConvTransposeLayer;

/** An autoencoder: what comes out has the shape of what goes in. */
export interface LayeredNetwork {
  /** Of one window, without the batch: [features × samples], or [6 × 10 × 10] for the original's. */
  readonly input: readonly number[];
  readonly layers: readonly NetworkLayer[];
}
