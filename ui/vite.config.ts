import { defineConfig } from "vite";

// Each page of swell is one script and one style. A build makes one of them: `vite build --mode report`.
const pages: Record<string, string> = {
  report: "../src/swell/report/static", // embedded in every HTML report
};

const NOTICE = "/*! With uPlot, copyright Leon Sorokin, under the MIT licence. */";

export default defineConfig(({ mode }) => {
  const folder = pages[mode];
  if (!folder) throw new Error(`--mode is one of: ${Object.keys(pages).join(", ")}`);
  return {
    publicDir: false,
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "es2021",
      reportCompressedSize: false,
      rollupOptions: { output: { banner: NOTICE } },
      lib: {
        entry: `src/${mode}/main.ts`,
        name: "swell",
        formats: ["iife"],
        fileName: () => `${mode}.js`,
        cssFileName: mode,
      },
    },
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warn",
  };
});
