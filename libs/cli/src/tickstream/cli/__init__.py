"""The tickstream command and the native servers."""
