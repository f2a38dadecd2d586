import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { Inputs } from "../providers/types";

export { Empty };

export function fromStruct(struct: Struct | undefined): Inputs {
    return struct?.toJavaScript() ?? {};
}

export function toStruct(inputs: Inputs): Struct {
    return Struct.fromJavaScript(inputs);
}
