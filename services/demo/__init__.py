"""The main job, told step by step through the public API, on DfE's figures and an invented contract."""
