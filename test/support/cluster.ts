import * as sandbox from "../../sandbox";
import { silentProgress } from "../../scripts/progress";
import { cannotRun } from "./runner/can-run";

/** Minutes, not seconds: the first run on a machine builds Kubernetes. */
const UP_TIMEOUT_MS = 15 * 60_000;
const DOWN_TIMEOUT_MS = 2 * 60_000;

/** The cluster that the end-to-end tests of one mocha process share. */
export interface Cluster {
    kubeconfig: string;
    context: string;
    /** Absent on a cluster of one's own (`CUTOVER_E2E_CONTEXT`). */
    sandbox: sandbox.SandboxInfo | undefined;
}

let shared: Promise<Cluster | { skip: string }> | undefined;
let startedHere = false;

/**
 * The cluster to test on, or the end of the test: call it first in a `before` hook.
 *
 * ```ts
 * before(async function () {
 *     cluster = await requireCluster.call(this);
 * });
 * ```
 *
 * It is the context named by `CUTOVER_E2E_CONTEXT`, else the sandbox, which is started when it is not
 * running (and then taken down after the last test of the process; `npm test` has brought it up before
 * and takes it down itself). Where the sandbox cannot run, the suite is skipped with the reason; with
 * `CI=true` that is a failure. A sandbox that could run but does not come up is always a failure.
 */
export async function requireCluster(this: Mocha.Context): Promise<Cluster> {
    this.timeout(UP_TIMEOUT_MS);
    shared ??= provide();
    const cluster = await shared;
    if (!("skip" in cluster)) return cluster;
    if (process.env.CI === "true") throw new Error(`end-to-end tests cannot run: ${cluster.skip}`);
    console.log(`      skipped: ${cluster.skip}`);
    return this.skip();
}

async function provide(): Promise<Cluster | { skip: string }> {
    const context = process.env.CUTOVER_E2E_CONTEXT;
    if (context) {
        const kubeconfig = process.env.KUBECONFIG;
        if (!kubeconfig) throw new Error("CUTOVER_E2E_CONTEXT is set, KUBECONFIG is not");
        return { kubeconfig, context, sandbox: undefined };
    }
    const skip = cannotRun();
    if (skip) return { skip };
    const running = (await sandbox.status()).running;
    startedHere = !running;
    const info = await sandbox.up(silentProgress);
    return { kubeconfig: info.kubeconfig, context: info.context, sandbox: info };
}

// A root hook, registered when the first test file loads this module.
after(async function () {
    this.timeout(DOWN_TIMEOUT_MS);
    if (!startedHere) return;
    await sandbox.down(silentProgress);
});
