"""QoS profiles that several nodes use."""

from rclpy.qos import DurabilityPolicy, QoSProfile

# Reliable, and a late subscriber gets the last message.
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
