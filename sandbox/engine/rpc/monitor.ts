/* eslint-disable @typescript-eslint/no-require-imports -- loaded when a program invokes a function */
import * as grpc from "@grpc/grpc-js";
import type { Alias } from "@pulumi/pulumi/proto/alias_pb";
import * as resourceProto from "@pulumi/pulumi/proto/resource_pb";
import { NotSupportedError } from "../cli/errors";
import { Context } from "../deploy/context";
import { DeploymentOver, Goal, parseDuration } from "../deploy/goal";
import { invoke } from "../deploy/invoke";
import { readResource } from "../deploy/read";
import { register, urnOf } from "../deploy/register";
import { registerOutputs } from "../deploy/outputs";
import { StepFailed } from "../deploy/steps";
import { AliasSpec } from "../deploy/urn";
import { containsUnknown, lowerOutputValues } from "../values/values";
import { callbackHook } from "./callbacks";
import { Empty, fromStruct, toStruct } from "./struct";

/** Features of the protocol this engine has; a program that uses another is refused by the SDK. */
const FEATURES = new Set([
    "secrets",
    "resourceReferences",
    "outputValues",
    "aliasSpecs",
    "deletedWith",
    "replaceWith",
    "resourceHooks",
]);

type Unary = grpc.UntypedServiceImplementation[string];

/** Answers a call with what `work` resolves to; a failed or ended deployment becomes a status. */
function unary<Request, Response>(work: (request: Request) => Promise<Response>): Unary {
    return (
        call: grpc.ServerUnaryCall<Request, Response>,
        reply: grpc.sendUnaryData<Response>,
    ): void => {
        work(call.request).then(
            (response) => reply(null, response),
            (error: Error) => reply(toStatus(error)),
        );
    };
}

function toStatus(error: Error): Partial<grpc.StatusObject> {
    const over = error instanceof DeploymentOver || error instanceof StepFailed;
    // The SDK ends quietly on UNAVAILABLE: what failed is reported already.
    const code = over ? grpc.status.UNAVAILABLE : grpc.status.UNKNOWN;
    return { code, details: over ? "resource monitor shut down" : error.message };
}

/** What a program can ask of the engine while it runs. */
export function monitorService(
    context: Context,
    signalShutdown: () => Promise<void>,
): grpc.UntypedServiceImplementation {
    const refuse = (what: string): Unary =>
        unary(async () => {
            throw new NotSupportedError(what);
        });
    return {
        supportsFeature: unary(async (request: resourceProto.SupportsFeatureRequest) => {
            const response = new resourceProto.SupportsFeatureResponse();
            response.setHassupport(FEATURES.has(request.getId()));
            return response;
        }),
        registerResource: unary(async (request: resourceProto.RegisterResourceRequest) =>
            registerResource(context, request),
        ),
        registerResourceOutputs: unary(
            async (request: resourceProto.RegisterResourceOutputsRequest) => {
                await registerOutputs(context, request.getUrn(), fromStruct(request.getOutputs()));
                return new Empty();
            },
        ),
        readResource: unary(async (request: resourceProto.ReadResourceRequest) => {
            const { urn, outputs } = await readResource(context, {
                id: request.getId(),
                type: request.getType(),
                name: request.getName(),
                parent: request.getParent(),
                provider: request.getProvider(),
                version: request.getVersion(),
                inputs: lowerOutputValues(fromStruct(request.getProperties())),
                dependencies: request.getDependenciesList(),
                additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
            });
            const response = new resourceProto.ReadResourceResponse();
            response.setUrn(urn);
            response.setProperties(toStruct(outputs));
            return response;
        }),
        invoke: unary(async (request: resourceProto.ResourceInvokeRequest) => {
            const providerProto =
                require("@pulumi/pulumi/proto/provider_pb") as typeof import("@pulumi/pulumi/proto/provider_pb");
            const result = await invoke(context, {
                token: request.getTok(),
                args: fromStruct(request.getArgs()),
                provider: request.getProvider(),
                version: request.getVersion(),
            });
            const response = new providerProto.InvokeResponse();
            response.setReturn(toStruct(result));
            return response;
        }),
        registerResourceHook: unary(async (request: resourceProto.RegisterResourceHookRequest) => {
            context.hooks.register(request.getName(), callbackHook(request));
            return new Empty();
        }),
        signalAndWaitForShutdown: unary(async () => {
            await signalShutdown();
            return new Empty();
        }),
        getDeploymentInfo: refuseUnimplemented,
        call: refuse("method calls on remote components"),
        registerStackTransform: refuse("stack transforms"),
        registerStackInvokeTransform: refuse("invoke transforms"),
        registerErrorHook: refuse("error hooks"),
        registerPackage: refuse("parameterized packages"),
    };
}

/** The SDK falls back to asking for each feature. */
const refuseUnimplemented = ((_call: unknown, reply: grpc.sendUnaryData<unknown>): void =>
    reply({ code: grpc.status.UNIMPLEMENTED })) as unknown as Unary;

async function registerResource(
    context: Context,
    request: resourceProto.RegisterResourceRequest,
): Promise<resourceProto.RegisterResourceResponse> {
    if (request.getRemote()) throw new NotSupportedError(`remote component ${request.getType()}`);
    if (request.getTransformsList().length > 0) throw new NotSupportedError("resource transforms");
    const response = new resourceProto.RegisterResourceResponse();
    const goal = toGoal(request);
    const result = await register(context, goal).catch((error: Error) => {
        if (!(error instanceof StepFailed) || !context.options.continueOnError) throw error;
        return undefined;
    });
    if (result === undefined) {
        // The program goes on; what derives from this resource is unknown to it.
        response.setUrn(urnOf(context, goal));
        response.setResult(resourceProto.Result.FAIL);
        return response;
    }
    const { urn, id, outputs } = result;
    response.setUrn(urn);
    response.setId(id);
    response.setObject(toStruct(outputs));
    response.setResult(
        context.skipped.has(urn) ? resourceProto.Result.SKIP : resourceProto.Result.SUCCESS,
    );
    return response;
}

function toGoal(request: resourceProto.RegisterResourceRequest): Goal {
    const trigger = request.getReplacementTrigger()?.toJavaScript();
    return {
        type: request.getType(),
        name: request.getName(),
        custom: request.getCustom(),
        parent: request.getParent() === "" ? undefined : request.getParent(),
        inputs: lowerOutputValues(fromStruct(request.getObject())),
        dependencies: [...new Set(request.getDependenciesList())].sort(),
        propertyDependencies: Object.fromEntries(
            request
                .getPropertydependenciesMap()
                .toArray()
                .map(([key, message]) => [key, (message as unknown as string[][])[0] ?? []]),
        ),
        provider: request.getProvider(),
        version: request.getVersion(),
        protect: request.hasProtect() ? request.getProtect() : undefined,
        deleteBeforeReplace:
            request.getDeletebeforereplacedefined() || request.getDeletebeforereplace()
                ? request.getDeletebeforereplace()
                : undefined,
        ignoreChanges: request.getIgnorechangesList(),
        replaceOnChanges: request.getReplaceonchangesList(),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        aliases: [
            ...request.getAliasesList().map(toAlias),
            ...request.getAliasurnsList().map((urn) => ({ urn })),
        ],
        importId: request.getImportid(),
        customTimeouts: toTimeouts(request.getCustomtimeouts()),
        retainOnDelete: request.hasRetainondelete() ? request.getRetainondelete() : undefined,
        deletedWith: request.getDeletedwith() === "" ? undefined : request.getDeletedwith(),
        replaceWith: request.getReplaceWithList(),
        replacementTrigger:
            trigger === undefined || containsUnknown(trigger as never)
                ? undefined
                : (trigger as never),
        hooks: toHooks(request.getHooks()),
    };
}

function toAlias(alias: Alias): AliasSpec {
    const spec = alias.getSpec();
    if (spec === undefined) return { urn: alias.getUrn() };
    const result: AliasSpec = {};
    if (spec.getName() !== "") result.name = spec.getName();
    if (spec.getType() !== "") result.type = spec.getType();
    if (spec.getStack() !== "") result.stack = spec.getStack();
    if (spec.getProject() !== "") result.project = spec.getProject();
    if (spec.getParenturn() !== "") result.parent = spec.getParenturn();
    if (spec.getNoparent()) result.noParent = true;
    return result;
}

function toTimeouts(
    message: resourceProto.RegisterResourceRequest.CustomTimeouts | undefined,
): Goal["customTimeouts"] {
    const timeouts: Goal["customTimeouts"] = {};
    const create = parseDuration(message?.getCreate() ?? "");
    const update = parseDuration(message?.getUpdate() ?? "");
    const remove = parseDuration(message?.getDelete() ?? "");
    if (create !== undefined) timeouts.create = create;
    if (update !== undefined) timeouts.update = update;
    if (remove !== undefined) timeouts.delete = remove;
    return timeouts;
}

function toHooks(
    binding: resourceProto.RegisterResourceRequest.ResourceHooksBinding | undefined,
): Record<string, string[]> {
    if (binding === undefined) return {};
    if (binding.getOnErrorList().length > 0) throw new NotSupportedError("error hooks");
    const hooks = {
        BeforeCreate: binding.getBeforeCreateList(),
        AfterCreate: binding.getAfterCreateList(),
        BeforeUpdate: binding.getBeforeUpdateList(),
        AfterUpdate: binding.getAfterUpdateList(),
        BeforeDelete: binding.getBeforeDeleteList(),
        AfterDelete: binding.getAfterDeleteList(),
    };
    return Object.fromEntries(Object.entries(hooks).filter(([, names]) => names.length > 0));
}
