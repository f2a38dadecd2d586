import { spawn } from "node:child_process";
import Table from "cli-table3";
import type { Command } from "commander";
import pc from "picocolors";
import * as sandbox from "../../sandbox";
import { CliError, ExitCode } from "../errors";
import { silentProgress, terminalProgress, type Progress } from "../progress";

/** `cutover sandbox up|down|status|logs`. */
export function register(command: Command): void {
    const json = ["--json", "print one JSON object instead of text"] as const;
    command
        .command("up")
        .description("start a Kubernetes on this machine, or finish starting it")
        .option(...json)
        .action((options: JsonOption) => interruptible((signal) => up(options, signal)));
    command
        .command("down")
        .description("stop it and remove everything it made, its data too")
        .option(...json)
        .action((options: JsonOption) => interruptible((signal) => down(options, signal)));
    command
        .command("status")
        .description(
            `what runs and whether it works; exit code ${ExitCode.unhealthy} if not all does`,
        )
        .option(...json)
        .action(status);
    command
        .command("logs")
        .description("the log of a component, or the end of every component's")
        .argument("[component]", "for example kubelet")
        .option("-f, --follow", "go on printing as the component goes on logging")
        .option(...json)
        .action(logs);
}

interface JsonOption {
    json?: boolean;
}

async function up({ json }: JsonOption, signal: AbortSignal): Promise<void> {
    const info = await sandbox.up(progressOf(json), { signal });
    if (json) return print(info);
    console.log(`\nKubernetes ${info.kubernetesVersion} is ready:`);
    console.log(`  export KUBECONFIG=${info.kubeconfig}`);
    console.log("  kubectl get pods --all-namespaces");
}

async function down({ json }: JsonOption, signal: AbortSignal): Promise<void> {
    await sandbox.down(progressOf(json), { signal });
    if (json) print({ running: false });
}

async function status({ json }: JsonOption): Promise<void> {
    const found = await sandbox.status();
    if (json) print(found);
    else console.log(statusTable(found));
    if (!found.running) process.exitCode = ExitCode.unhealthy;
}

/** The components as a table; one line when there is no sandbox. */
export function statusTable(found: sandbox.SandboxStatus): string {
    if (found.info === undefined) return "no sandbox; `cutover sandbox up` makes one";
    const table = new Table({
        head: ["component", "process", "state"],
        style: { head: [], border: [] },
    });
    for (const { name, pid, alive, healthy } of found.components) {
        const state = healthy ? pc.green("ok") : pc.red(alive ? "unhealthy" : "not running");
        table.push([name, pid ?? "", state]);
    }
    return `${table.toString()}\nkubeconfig: ${found.info.kubeconfig}`;
}

async function logs(
    component: string | undefined,
    { follow, json }: JsonOption & { follow?: boolean },
): Promise<void> {
    if (follow) return followLog(component);
    const text = await sandbox.logs(component);
    if (json) print({ component, lines: text.trimEnd().split("\n") });
    else process.stdout.write(text);
}

async function followLog(component: string | undefined): Promise<void> {
    if (component === undefined) throw new CliError("--follow needs a component", ExitCode.usage);
    const tail = spawn("tail", ["--lines=50", "--follow=name", sandbox.logFileOf(component)], {
        stdio: "inherit",
    });
    await new Promise((resolve) => tail.once("close", resolve));
}

/** Ctrl-C ends the work in order; what is started by then, the next `up` or `down` takes over. */
async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, abort);
    try {
        await work(controller.signal);
    } catch (error) {
        if (!controller.signal.aborted) throw error;
        throw new CliError(
            "interrupted; `cutover sandbox up` goes on, `cutover sandbox down` cleans up",
            ExitCode.interrupted,
        );
    } finally {
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.removeListener(signal, abort);
    }
}

function progressOf(json: boolean | undefined): Progress {
    return json ? silentProgress : terminalProgress();
}

function print(value: unknown): void {
    console.log(JSON.stringify(value, undefined, 2));
}
