/* eslint-disable @typescript-eslint/no-require-imports --
   a native import() in a CommonJS file does not find .ts files under ts-node */

/** What only a change of the cluster needs; a run without changes does not load it. */
export const lazy = {
    cluster: () => require("./cluster") as typeof import("./cluster"),
    job: () => require("./await/job") as typeof import("./await/job"),
    kubeconfig: () => require("./kubeconfig") as typeof import("./kubeconfig"),
    operations: () => require("./operations") as typeof import("./operations"),
    waitFor: () => require("./await/wait-for") as typeof import("./await/wait-for"),
};
