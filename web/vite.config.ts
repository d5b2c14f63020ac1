import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The built page is committed, so its files have fixed names.
const names = {
  entryFileNames: "assets/[name].js",
  chunkFileNames: "assets/[name].js",
  assetFileNames: "assets/[name][extname]",
};

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: "../src/handful/reviewing/page",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: { output: names },
  },
  worker: { format: "es", rolldownOptions: { output: names } },
  // `npm run dev` beside a server started with `handful review RUN --port 8800`.
  server: { proxy: { "/api": "http://127.0.0.1:8800" } },
});
