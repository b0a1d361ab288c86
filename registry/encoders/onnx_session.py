"""How every model is run: one thread, in order, without waiting threads and without chatter.

A worker opens its sessions before it gives up files, threads and memory; afterwards none is opened.
"""

import onnxruntime

from registry.errors import SetupError

_ERRORS_ONLY = 3


def open_session(model: bytes, name: str) -> onnxruntime.InferenceSession:
    """A session of an ONNX file. Raises SetupError, with the model's name, for one that is none."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's classes of errors have no public home
        raise SetupError(f"{name} is no ONNX model that can be run: {error}") from error
