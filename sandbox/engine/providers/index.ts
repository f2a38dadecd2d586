/* eslint-disable @typescript-eslint/no-require-imports --
   a native import() in a CommonJS file does not find .ts files under ts-node */
import type { PluginTable } from "./types";

/** The providers of the stand-in engine; each is loaded when a program first uses it. */
export const plugins: PluginTable = {
    kubernetes: async () =>
        (require("./kubernetes/index") as typeof import("./kubernetes/index")).kubernetes,
    random: async () => (require("./random") as typeof import("./random")).random,
};
