import * as path from "node:path";
import { CliError } from "../scripts/errors";
import type { Progress } from "../scripts/progress";
import { stopEverything } from "./down";
import { withLock } from "./images/lock";
import * as instances from "./instance";
import type { Instance } from "./instance";
import { enableControllers, findHierarchies, missingControllers } from "./machine/cgroups";
import * as needs from "./machine/needs";
import { forwardedPorts, requireFreeNetwork } from "./machine/network";
import { readSysctls } from "./machine/sysctls";
import { tablesOfIptables } from "./machine/tables";
import { cacheDir, stateDir as defaultStateDir } from "./paths";
import { buildPrograms } from "./programs";
import { nodeIsThere, Starting } from "./starting";
import { infoOf, status, type SandboxInfo, type SandboxOptions } from "./status";

/**
 * Brings the sandbox up: builds what is not in the cache, starts what does not run, and returns when
 * the node, DNS and metrics are ready. What runs is left alone. Of a sandbox that a reboot ended, or
 * whose node is gone, everything is started again with the data it had.
 *
 * @throws CliError naming what the machine lacks, or with the log of what did not start
 */
export async function up(progress: Progress, options: SandboxOptions = {}): Promise<SandboxInfo> {
    needs.requireLinuxRoot();
    process.env.PATH = needs.withRootPaths(process.env.PATH);
    const stateDir = path.resolve(options.stateDir ?? defaultStateDir());
    needs.requireUsableStateDir(stateDir);
    if ((await status({ stateDir })).running) return infoOf(stateDir);
    const { signal } = options;
    return withLock(instances.lockOf(stateDir), () => bringUp(progress, stateDir, signal), {
        signal,
    });
}

async function bringUp(
    progress: Progress,
    stateDir: string,
    signal: AbortSignal | undefined,
): Promise<SandboxInfo> {
    if ((await status({ stateDir })).running) return infoOf(stateDir);
    await progress.step("Check what the sandbox needs", async (say) => {
        needs.requireDisk(stateDir, needs.MINIMUM_FREE_BYTES.run);
        needs.requireDisk(cacheDir(), needs.MINIMUM_FREE_BYTES.run);
        await needs.ensureSandboxPackages(say, signal);
        await needs.ensureKernelModules(say, signal);
    });
    const programs = await buildPrograms(progress, signal);
    const existing = instances.readInstance(stateDir);
    const goesOn = existing !== undefined && nodeIsThere(existing);
    const instance = goesOn ? existing : await newNode(stateDir);
    try {
        await startAll(progress, new Starting(instance, programs, signal), goesOn);
    } catch (error) {
        if (!(error instanceof CliError)) throw error;
        const hint =
            "`cutover sandbox logs` has more, `cutover sandbox down` clears the way for a new one";
        throw new CliError(`${error.message}\n${hint}`, error.code);
    }
    return infoOf(stateDir);
}

async function startAll(progress: Progress, starting: Starting, goesOn: boolean): Promise<void> {
    await progress.step("Start the control plane", async (say) => {
        if (!goesOn) await starting.makeNode();
        await starting.startControlPlane(say);
    });
    await progress.step("Start the node", (say) => starting.startNode(say));
    await progress.step("Wait for node, DNS and metrics", (say) => starting.waitUntilReady(say));
}

/** The sandbox of this folder, or a new one, with nothing of it running. */
async function newNode(stateDir: string): Promise<Instance> {
    const existing = instances.readInstance(stateDir);
    if (existing === undefined) refuseForeignFolder(stateDir);
    // Remains of a sandbox whose record was deleted by hand have the same names.
    const remains = existing ?? instances.newInstance(stateDir, 0, {});
    await stopEverything(remains);
    const named = instances.namedApiPort();
    const ports = named === undefined ? instances.API_PORTS : [named];
    const preferred = existing === undefined || named !== undefined ? [] : [existing.apiPort];
    // Before anything asks iptables, which makes its tables by that.
    const tablesBefore = existing?.tablesBefore ?? (await tablesOfIptables());
    const apiPort = await needs.freePort([...preferred, ...ports], await forwardedPorts());
    const sysctls = existing?.sysctlsBefore ?? readSysctls();
    const instance = instances.newInstance(stateDir, apiPort, sysctls);
    await requireFreeNetwork(instance);
    const hierarchies = findHierarchies();
    const enabled = new Set([
        ...(existing?.controllersEnabled ?? []),
        ...missingControllers(hierarchies),
    ]);
    const recorded = { ...instance, tablesBefore, controllersEnabled: [...enabled] };
    instances.writeInstance(recorded);
    enableControllers(recorded.controllersEnabled, hierarchies);
    return recorded;
}

function refuseForeignFolder(stateDir: string): void {
    const found = instances.foreignEntry(stateDir);
    if (found === undefined) return;
    throw new CliError(
        `CUTOVER_SANDBOX_STATE must be a new or empty folder, got ${stateDir} with ${found}`,
    );
}
