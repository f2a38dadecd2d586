import * as grpc from "@grpc/grpc-js";
import * as engineRpc from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as resourceRpc from "@pulumi/pulumi/proto/resource_grpc_pb";

/** The SDK allows messages of 400 MB; a large ConfigMap must not fail on the default of 4 MB. */
const OPTIONS = {
    "grpc.max_receive_message_length": 400 * 1024 * 1024,
    "grpc.max_send_message_length": 400 * 1024 * 1024,
};

export interface RpcServer {
    address: string;
    close(): void;
}

/**
 * Serves monitor and engine on one loopback port. The services may come later than the address: the
 * program is started at once and waits on its first call.
 */
export async function serve(
    services: Promise<{
        monitor: grpc.UntypedServiceImplementation;
        engine: grpc.UntypedServiceImplementation;
    }>,
): Promise<RpcServer> {
    const server = new grpc.Server(OPTIONS);
    type Reply = (error: Partial<grpc.StatusObject>) => void;
    const handler =
        (pick: "monitor" | "engine", name: string) =>
        (call: unknown, reply: Reply): void => {
            services.then(
                (ready) => (ready[pick][name] as (...args: unknown[]) => void)(call, reply),
                (error: Error) => reply({ code: grpc.status.UNAVAILABLE, details: error.message }),
            );
        };
    const late = (
        pick: "monitor" | "engine",
        definition: object,
    ): grpc.UntypedServiceImplementation =>
        Object.fromEntries(Object.keys(definition).map((name) => [name, handler(pick, name)]));
    const monitor = resourceRpc.ResourceMonitorService as unknown as grpc.ServiceDefinition;
    const engine = engineRpc.EngineService as unknown as grpc.ServiceDefinition;
    server.addService(monitor, late("monitor", monitor));
    server.addService(engine, late("engine", engine));
    const port = await new Promise<number>((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
            error === null ? resolve(bound) : reject(error),
        );
    });
    return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}
