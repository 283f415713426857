"""The migrations of the store; `synth.store.migrations` runs them."""
