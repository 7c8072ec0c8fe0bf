"""Qualities of service that more than one node offers or asks for."""

from rclpy.qos import DurabilityPolicy, QoSProfile

# Reliable, and a late joiner gets the last message.
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
