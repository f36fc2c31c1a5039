/**
 * Images as matrices, so that a convolution is a product: column p of the unfolded image holds what the kernel sees at place p of
 * its grid. Folding is the adjoint: it adds every column back to where it was seen.
 *
 * A convolution walks over its input; a transposed convolution over its output, with its input as the grid.
 */
import type { ConvLayer, ConvTransposeLayer } from './layers.ts';

export interface Walk {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly pad: readonly [number, number];
  /** Places of the kernel, along the height and along the width. */
  readonly rows: number;
  readonly places: number;
}

export function walkOf(layer: ConvLayer | ConvTransposeLayer): Walk {
  const [image, grid] = layer.kind === 'conv' ? [layer.input, layer.output] : [layer.output, layer.input];
  return { ...image, kernel: layer.kernel, stride: layer.stride, pad: layer.pad, rows: grid.height, places: grid.width };
}

/** What the kernel sees at one place: channels × kernel. */
export const patchOf = ({ channels, kernel }: Walk): number => channels * kernel[0] * kernel[1];
export const gridOf = ({ rows, places }: Walk): number => rows * places;

/** Image → columns [patch × grid]; outside the image lie zeros. */
export function unfold(walk: Walk, image: Float32Array, at: number, columns: Float32Array): void {
  const { channels, height, width, kernel, stride, pad, rows, places } = walk;
  let to = 0;
  for (let c = 0; c < channels; c++) {
    for (let ky = 0; ky < kernel[0]; ky++) {
      for (let kx = 0; kx < kernel[1]; kx++) {
        const [first, last] = seen(kx - pad[1], stride[1], width, places);
        for (let row = 0; row < rows; row++, to += places) {
          const y = row * stride[0] + ky - pad[0];
          if (y < 0 || y >= height) {
            columns.fill(0, to, to + places);
            continue;
          }
          for (let p = 0; p < first; p++) columns[to + p] = 0;
          let from = at + (c * height + y) * width + first * stride[1] + kx - pad[1];
          for (let p = first; p < last; p++, from += stride[1]) columns[to + p] = image[from];
          for (let p = last; p < places; p++) columns[to + p] = 0;
        }
      }
    }
  }
}

/** Adds columns [patch × grid] to the image they were unfolded from. */
export function fold(walk: Walk, columns: Float32Array, image: Float32Array, at: number): void {
  const { channels, height, width, kernel, stride, pad, rows, places } = walk;
  let from = 0;
  for (let c = 0; c < channels; c++) {
    for (let ky = 0; ky < kernel[0]; ky++) {
      for (let kx = 0; kx < kernel[1]; kx++) {
        const [first, last] = seen(kx - pad[1], stride[1], width, places);
        for (let row = 0; row < rows; row++, from += places) {
          const y = row * stride[0] + ky - pad[0];
          if (y < 0 || y >= height) continue;
          let to = at + (c * height + y) * width + first * stride[1] + kx - pad[1];
          for (let p = first; p < last; p++, to += stride[1]) image[to] += columns[from + p];
        }
      }
    }
  }
}

/** Places [first, last) of the kernel at which one of its columns lies within the image. */
function seen(offset: number, stride: number, width: number, places: number): [number, number] {
  const first = Math.max(0, Math.ceil(-offset / stride));
  const last = Math.min(places, Math.floor((width - 1 - offset) / stride) + 1);
  return [first, Math.max(first, last)];
}
