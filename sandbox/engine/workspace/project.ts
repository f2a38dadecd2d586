import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { NotSupportedError, UserError } from "../cli/errors";
import { readIfExists } from "../backend/files";
import { Json } from "../providers/types";
import { isObject, JsonObject } from "../values/values";

/** `Pulumi.yaml`, as far as this engine reads it. */
export interface Project {
    name: string;
    /** The folder of Pulumi.yaml. */
    root: string;
    /** `main`: the program's file or folder, relative to the root. */
    main: string;
    runtimeOptions: JsonObject;
    backendUrl: string | undefined;
    stackConfigFolder: string;
    /** The typed `config:` block: schema, default or value by key. */
    config: JsonObject;
}

const PROJECT_FILES = ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"];

/** Finds the project of a folder, looking upwards as the real CLI does. */
export function findProject(from: string): Project | undefined {
    for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
        const file = PROJECT_FILES.map((name) => path.join(folder, name)).find(existsSync);
        if (file !== undefined) return loadProject(file);
        if (folder === path.dirname(folder)) return undefined;
    }
}

function loadProject(file: string): Project {
    let content: Json;
    try {
        content = parse(readFileSync(file, "utf8")) as Json;
    } catch (error) {
        throw new UserError(`could not read ${file}: ${(error as Error).message}`);
    }
    if (!isObject(content) || typeof content["name"] !== "string") {
        throw new UserError(`could not read ${file}: project is missing a 'name' attribute`);
    }
    const runtime = content["runtime"];
    const runtimeName = isObject(runtime) ? runtime["name"] : runtime;
    if (runtimeName !== "nodejs") {
        throw new NotSupportedError(`runtime ${JSON.stringify(runtimeName)} of ${file}`);
    }
    const options = isObject(runtime) ? runtime["options"] : undefined;
    const backend = content["backend"];
    const configFolder = content["stackConfigDir"];
    return {
        name: content["name"],
        root: path.dirname(file),
        main: typeof content["main"] === "string" ? content["main"] : "",
        runtimeOptions: isObject(options) ? options : {},
        backendUrl:
            isObject(backend) && typeof backend["url"] === "string" ? backend["url"] : undefined,
        stackConfigFolder: path.join(
            path.dirname(file),
            typeof configFolder === "string" ? configFolder : "",
        ),
        config: isObject(content["config"]) ? content["config"] : {},
    };
}

/** Where Pulumi keeps credentials and the selected stack of each project. */
export function pulumiHome(): string {
    return process.env["PULUMI_HOME"] ?? path.join(homedir(), ".pulumi");
}

/** The file that remembers a project's selected stack; its name is the real CLI's. */
function workspaceFile(project: Project): string {
    const file = PROJECT_FILES.map((name) => path.join(project.root, name)).find(existsSync) ?? "";
    const hash = createHash("sha1").update(file).digest("hex");
    return path.join(pulumiHome(), "workspaces", `${project.name}-${hash}-workspace.json`);
}

export async function selectedStack(project: Project): Promise<string | undefined> {
    const text = await readIfExists(workspaceFile(project));
    if (text === undefined) return undefined;
    const stack = (JSON.parse(text) as { stack?: string }).stack;
    return stack === undefined || stack === "" ? undefined : stack;
}

export async function selectStack(project: Project, stack: string | undefined): Promise<void> {
    const file = workspaceFile(project);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(stack === undefined ? {} : { stack }));
}

interface Credentials {
    current?: string;
    accounts?: Record<string, JsonObject>;
}

function credentialsFile(): string {
    const folder = process.env["PULUMI_CREDENTIALS_PATH"] ?? pulumiHome();
    return path.join(folder, "credentials.json");
}

export async function readCredentials(): Promise<Credentials> {
    const text = await readIfExists(credentialsFile());
    return text === undefined ? {} : (JSON.parse(text) as Credentials);
}

export async function writeCredentials(credentials: Credentials): Promise<void> {
    await mkdir(path.dirname(credentialsFile()), { recursive: true });
    await writeFile(credentialsFile(), JSON.stringify(credentials, undefined, 4), { mode: 0o600 });
}

/** The backend's URL: the environment, then the project, then the last login. */
export async function backendUrl(project: Project | undefined): Promise<string> {
    const url =
        process.env["PULUMI_BACKEND_URL"] ??
        project?.backendUrl ??
        (await readCredentials()).current ??
        "";
    if (url === "") {
        throw new UserError(
            "no backend is chosen: log in with `pulumi login --local`, or set " +
                "PULUMI_BACKEND_URL=file://<folder>",
        );
    }
    return localUrl(url);
}

/** @throws NotSupportedError for any backend but a local folder. */
export function localUrl(url: string): string {
    if (!url.startsWith("file://")) throw new NotSupportedError(`backend ${url}`);
    return url;
}
