import * as grpc from "@grpc/grpc-js";
import * as callbackRpc from "@pulumi/pulumi/proto/callback_grpc_pb";
import * as callbackProto from "@pulumi/pulumi/proto/callback_pb";
import * as resourceProto from "@pulumi/pulumi/proto/resource_pb";
import { Hook } from "../deploy/hooks";
import { Inputs } from "../providers/types";
import { toStruct } from "./struct";

const clients = new Map<string, callbackRpc.CallbacksClient>();

function clientOf(target: string): callbackRpc.CallbacksClient {
    const known = clients.get(target);
    if (known !== undefined) return known;
    const client = new callbackRpc.CallbacksClient(target, grpc.credentials.createInsecure());
    clients.set(target, client);
    return client;
}

/** Closes the connections into the program, so that this process can end. */
export function closeCallbacks(): void {
    for (const client of clients.values()) client.close();
    clients.clear();
}

/** A hook whose body is a function of the program. */
export function callbackHook(request: resourceProto.RegisterResourceHookRequest): Hook {
    const callback = request.getCallback();
    const target = callback?.getTarget() ?? "";
    const token = callback?.getToken() ?? "";
    return {
        onDryRun: request.getOnDryRun(),
        ignoreErrors: request.getIgnoreErrors(),
        call: async (call) => {
            const message = new resourceProto.ResourceHookRequest();
            message.setUrn(call.urn);
            message.setId(call.id);
            message.setName(call.name);
            message.setType(call.type);
            const set = (
                value: Inputs | undefined,
                setter: "NewInputs" | "OldInputs" | "NewOutputs" | "OldOutputs",
            ): void => {
                if (value !== undefined) message[`set${setter}`](toStruct(value));
            };
            set(call.newInputs, "NewInputs");
            set(call.oldInputs, "OldInputs");
            set(call.newOutputs, "NewOutputs");
            set(call.oldOutputs, "OldOutputs");
            const bytes = await invokeCallback(target, token, message.serializeBinary());
            return resourceProto.ResourceHookResponse.deserializeBinary(bytes).getError();
        },
    };
}

function invokeCallback(target: string, token: string, request: Uint8Array): Promise<Uint8Array> {
    const message = new callbackProto.CallbackInvokeRequest();
    message.setToken(token);
    message.setRequest(request);
    return new Promise((resolve, reject) => {
        clientOf(target).invoke(message, (error, response) => {
            if (error !== null) reject(error);
            else resolve(response.getResponse_asU8());
        });
    });
}
