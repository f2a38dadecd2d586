import * as grpc from "@grpc/grpc-js";
import * as languageRpc from "@pulumi/pulumi/proto/language_grpc_pb";
import * as languageProto from "@pulumi/pulumi/proto/language_pb";
import { Program, ProgramRequest } from "./program";

const EXIT_DEADLINE_MS = 200;

/** A program inside the caller's process (Automation API, `--client`): it is asked to run. */
export function runInlineProgram(request: ProgramRequest, address: string): Program {
    const client = new languageRpc.LanguageRuntimeClient(
        address,
        grpc.credentials.createInsecure(),
    );
    const message = new languageProto.RunRequest();
    message.setProject(request.project.name);
    message.setStack(request.stack);
    message.setPwd(request.project.root);
    message.setProgram(".");
    message.setArgsList([request.address]);
    message.setDryrun(request.dryRun);
    message.setParallel(request.parallel);
    message.setMonitorAddress(request.address);
    message.setOrganization("organization");
    message.setConfigsecretkeysList(request.secretKeys);
    for (const [key, value] of Object.entries(request.config)) {
        message.getConfigMap().set(key, value);
    }
    let call: grpc.ClientUnaryCall | undefined;
    const ended = new Promise<string | undefined>((resolve) => {
        call = client.run(message, (error, response) => {
            client.close();
            if (error !== null) resolve(error.details);
            else if (response.getBail()) resolve("");
            else resolve(response.getError() === "" ? undefined : response.getError());
        });
    });
    return {
        ended,
        interrupt: () => call?.cancel(),
        async stop() {
            // A program whose resources never came may wait for them for ever.
            const timer = setTimeout(() => call?.cancel(), EXIT_DEADLINE_MS);
            await ended;
            clearTimeout(timer);
        },
    };
}
