import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

/** The page goes beside the compiled server, which serves it; nothing in it is inlined, so that the strict policy of the server holds. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [preact()],
  build: {
    outDir: '../../../dist/cloud/console/web',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
});
