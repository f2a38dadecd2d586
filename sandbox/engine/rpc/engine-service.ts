import * as grpc from "@grpc/grpc-js";
import * as engineProto from "@pulumi/pulumi/proto/engine_pb";
import { Diagnostic, Events } from "../deploy/events";
import { Empty } from "./struct";

const HOOK_FILE = "sandbox/engine/typescript-hook.js";
const SEVERITIES = ["debug", "info", "warning", "error"] as const;

/** Stack traces of a program pass through the loader this engine gives it: of no use to anyone. */
function withoutEngineFrames(message: string): string {
    if (!message.includes(HOOK_FILE)) return message;
    return message
        .split("\n")
        .filter((line) => !line.includes(HOOK_FILE))
        .join("\n");
}

/** The engine's own service: the program's log and its root resource. */
export function engineService(events: Events): grpc.UntypedServiceImplementation {
    let root = "";
    const reply =
        <Request, Response>(work: (request: Request) => Response) =>
        (
            call: grpc.ServerUnaryCall<Request, Response>,
            callback: grpc.sendUnaryData<Response>,
        ): void =>
            callback(null, work(call.request));
    return {
        log: reply((request: engineProto.LogRequest) => {
            const diagnostic: Diagnostic = {
                severity: SEVERITIES[request.getSeverity()] ?? "info",
                message: withoutEngineFrames(request.getMessage()),
            };
            if (request.getUrn() !== "") diagnostic.urn = request.getUrn();
            if (request.getEphemeral()) diagnostic.ephemeral = true;
            events.diagnostic(diagnostic);
            return new Empty();
        }),
        getRootResource: reply(() => {
            const response = new engineProto.GetRootResourceResponse();
            response.setUrn(root);
            return response;
        }),
        setRootResource: reply((request: engineProto.SetRootResourceRequest) => {
            root = request.getUrn();
            return new engineProto.SetRootResourceResponse();
        }),
        startDebugging: reply(() => new Empty()),
        requirePulumiVersion: reply(() => new engineProto.RequirePulumiVersionResponse()),
    };
}
