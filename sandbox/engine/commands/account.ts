import { userInfo } from "node:os";
import { ParsedFlags } from "../cli/flags";
import { VERSION } from "../version";
import {
    backendUrl,
    findProject,
    localUrl,
    readCredentials,
    writeCredentials,
} from "../workspace/project";

export async function version(): Promise<void> {
    console.log(`v${VERSION}`);
}

export async function login(flags: ParsedFlags): Promise<void> {
    const local = flags.flag("local") === true ? "file://~" : undefined;
    const url = localUrl(
        local ??
            flags.arguments[0] ??
            flags.value("cloud-url") ??
            process.env["PULUMI_BACKEND_URL"] ??
            "the Pulumi Cloud",
    );
    const credentials = await readCredentials();
    await writeCredentials({
        ...credentials,
        current: url,
        accounts: { ...credentials.accounts, [url]: {} },
    });
    console.log(`Logged in to ${url} as ${userInfo().username}`);
}

export async function logout(): Promise<void> {
    const { current, ...credentials } = await readCredentials();
    await writeCredentials(credentials);
    console.log(`Logged out of ${current ?? "nothing: no backend was logged in to"}`);
}

export async function whoami(flags: ParsedFlags): Promise<void> {
    const url = await backendUrl(findProject(process.cwd()));
    const user = userInfo().username;
    if (flags.flag("json") === true) {
        console.log(JSON.stringify({ user, organizations: [], url }, undefined, 2));
    } else {
        console.log(user);
    }
}
